//! Stories of users, each told by running the program or the library whole.

mod layering;
mod support;
