// Moonrail
