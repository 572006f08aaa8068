"""What is compiled: loops over bytes that Python takes apart many times slower.

Each `.c` of this folder has a module beside it that checks what it hands over.
"""
