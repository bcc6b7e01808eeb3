"""What deploy/ holds: units, images and manifests that are checked, and run as far as one machine can."""
