"""Everything that was collected, verified and inspected becomes one input document."""
