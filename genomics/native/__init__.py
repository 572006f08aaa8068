"""What is compiled: loops over bytes that Python takes apart ten times slower."""
