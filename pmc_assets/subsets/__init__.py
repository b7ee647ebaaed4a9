"""Named SQL selections of samples, exported."""
