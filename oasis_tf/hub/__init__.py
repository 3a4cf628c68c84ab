"""Models on the Hugging Face Hub: published with checksums, fetched and checked by them."""
