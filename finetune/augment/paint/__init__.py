"""What is pasted: pictures, their styles, and panels with frames and shapes."""
