"""A cell's backup repository host: pgBackRest's TLS server, backups when they are due, proof that they are whole."""
