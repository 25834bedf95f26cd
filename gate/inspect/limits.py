"""How much inspection reads before it says that it did not inspect."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InspectLimits:
    """The caps for one file. A file beyond a cap is not inspected, which is never the same as clean."""

    head_bytes: int = 4096
    """Bytes read to recognise a format."""
    json_bytes: int = 36 << 20
    """Bytes of a JSON text, which is parsed in memory; the largest tokenizers of public models have 34 million."""
    json_values: int = 5_000_000
    """Values of a JSON text, each list and object counted four times."""
    toml_bytes: int = 256 << 10
    """Bytes of a TOML text, which is parsed in memory and not fast."""
    safetensors_header_bytes: int = 100_000_000
    """Bytes of a safetensors header (the format's own limit)."""
    safetensors_metadata_bytes: int = 16 << 20
    """Bytes of a safetensors header that are parsed in memory."""
    npy_header_bytes: int = 64 << 10
    """Bytes of the header of an array file."""
    inflated_bytes: int = 64 << 20
    """Bytes that one compressed member or stream may unpack to in memory."""
    inflated_total_bytes: int = 256 << 20
    """Bytes that all compressed parts of one file may unpack to together."""
    ratio: int = 1100
    """Unpacked bytes per packed byte; deflate cannot exceed 1032."""
    compressed_streams: int = 1000
    """Compressed streams that follow one another in one file."""
    archive_members: int = 20_000
    """Members of one archive."""
    archive_total_members: int = 100_000
    """Members of all archives of one file together: archives in archives multiply."""
    archive_directory_bytes: int = 16 << 20
    """Bytes of a zip's central directory."""
    archive_depth: int = 3
    """Archives inside archives."""
    pickle_operations: int = 4_000_000
    """Pickle operations of one file, all its pickles together."""
    pickle_streams: int = 1000
    """Pickles that follow one another in one stream."""
    pickle_line_bytes: int = 64 << 10
    """Bytes of one line argument of a pickle that are kept; the rest of the line is passed over."""
    hidden_operations: int = 50_000
    """Pickle operations that are followed in a file that passes for something else."""
    gguf_entries: int = 4_000_000
    """Keys, tensors, texts and truth values of a GGUF file, all together."""
    protobuf_fields: int = 4_000_000
    """Fields of one file of Protocol Buffers (ONNX, SavedModel)."""
    hdf5_objects: int = 100_000
    """Objects, links, attributes and blocks of one HDF5 file, all together."""
    findings: int = 100
    """Findings kept for one file; there being more is a finding itself."""
