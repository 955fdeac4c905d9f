"""The addresses of the service; each handler reads, queues a job and answers."""
