"""What `python -m data_pipeline.build` takes of LVIS at its true size; see `__main__`."""
