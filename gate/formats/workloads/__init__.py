"""Deployment manifests become workloads: Kubernetes objects, also as Kustomize and Helm render them, and Compose."""
