"""MiDaS: its encoders under the official names, and the DPT head that they share."""
