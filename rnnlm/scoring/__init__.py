"""What is done with a trained model: evaluation and generation."""
