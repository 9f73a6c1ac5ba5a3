"""Exchange: models go out to other systems and come in from them.

    exported  what an export is made from
    targets   where models can go, one row each
    holds     what each target can hold: one table
    output    the file or folder that an export writes
"""
