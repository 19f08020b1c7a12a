//! The pure coordinators.
