//! Headlines.
