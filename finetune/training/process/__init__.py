"""What a training changes in its process while it runs."""
