"""Where pickles of an earlier version look for the classifier, which is in rnnlm.classifier now."""

from rnnlm.errors import RnnlmError

raise RnnlmError("a ScratchSimpleRNNClassifier that was pickled before version 0.2 cannot be read: fit it again, or read "
                 "it with the version that wrote it and take the arrays of its params")
