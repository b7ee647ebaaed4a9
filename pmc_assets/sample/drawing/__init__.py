"""Pictures of the embedded sample: one module per family of visual classes."""
