"""What a distiller is compiled with and fitted on, held against its models."""
