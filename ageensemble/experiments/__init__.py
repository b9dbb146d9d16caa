"""What is on disk: experiments, runs, fold fits, and the work that fills them."""
