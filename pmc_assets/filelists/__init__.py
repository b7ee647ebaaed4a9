"""What PMC offers: inventory, article versions, file lists."""
