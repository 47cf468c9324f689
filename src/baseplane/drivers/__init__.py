"""Drivers own every process, file and socket of the data plane. Nothing above this room touches the world."""
