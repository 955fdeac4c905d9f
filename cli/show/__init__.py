"""What the verbs print: results to standard output, talk and progress to standard error."""
