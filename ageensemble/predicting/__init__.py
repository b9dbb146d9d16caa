"""From whole photographs to a table of ages.

    photos, folders, lists -> inputs -> pipeline (reading, looking, the model) -> output, annotate

`inputs` says what is to be predicted, `looking` finds and cuts the faces of one photograph, `pipeline` does so for all
of them in threads and asks the model, `output` makes rows of the answers, for the screen, CSV and JSON lines, and
`annotate` draws them onto copies of the photographs.
"""
