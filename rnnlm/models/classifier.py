"""Where old pickles look for the classifier; it is in rnnlm/classifier/ now."""

from rnnlm.errors import RnnlmError

raise RnnlmError("a ScratchSimpleRNNClassifier pickled by an earlier version cannot be read: fit it again, or load it "
                 "with the version that wrote it and save its arrays with numpy.savez")
