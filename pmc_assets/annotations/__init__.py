"""What images show: embeddings, clusters, labels, panels."""
