"""What images are built from, and the job that provisions a broker and a database for them."""
