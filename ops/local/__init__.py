"""The stack on one machine: embedded servers, their processes and who watches over them."""
