"""Exchange: models go out to other systems and come in from them.

    exporting  ``rnnlm.export_model``
    importing  ``rnnlm.import_model``
    exported   what an export is made from
    targets    where models can go, one row each
    holds      what each target can hold: one table
    output     the file or folder that an export writes
    kinds      what a file is that someone wants to import
    content    files from elsewhere: bounded, and errors that name them
    safetensors_header, safetensors_file  arrays in files, for PyTorch and Hugging Face
    text       the target of the classic toolkit; the others have a folder each
"""
