"""The evaluation of inference: public schemas lose their foreign keys, and what is proposed is compared."""
