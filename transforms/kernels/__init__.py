"""Pure NumPy, Arrow and FAISS functions; importing Beam here is forbidden."""
