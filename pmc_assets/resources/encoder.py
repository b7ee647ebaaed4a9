"""The encoder as a Dagster resource: which model makes the vectors."""

import dagster as dg

from pmc_assets.annotations.encoders import DEFAULT_ENCODER, Encoder, encoder_table_name, load_encoder
from pmc_assets.lake import Lake


class EncoderResource(dg.ConfigurableResource):
    """`name` is `efficientnet-lite0` (offline, coarse) or `dinov2`; `checkpoint` its local folder or hub id."""

    name: str = DEFAULT_ENCODER
    checkpoint: str = ""

    def load(self, lake: Lake, threads: int) -> Encoder:
        """Load the model. Raises: UnknownEncoder."""
        return load_encoder(self.name, lake, checkpoint=self.checkpoint, threads=threads)

    @property
    def table_name(self) -> str:
        """The name under which the encoder's vectors are kept."""
        return encoder_table_name(self.name, self.checkpoint)
