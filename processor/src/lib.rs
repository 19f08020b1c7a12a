//! The streaming query processor.
