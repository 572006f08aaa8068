"""Pages of the data stewards: bring a dataset in, step by step."""
