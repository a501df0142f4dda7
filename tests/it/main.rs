//! Stories of users, each told by running the program or the library whole.

mod command_line;
mod layering;
mod support;
