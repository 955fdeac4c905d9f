"""Published files come from the Hugging Face hub and from GitHub releases, checked and whole."""
