"""Replicas: what does the jobs of requests, the models of this process or those of other processes."""
