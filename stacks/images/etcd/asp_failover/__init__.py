"""What decides who leads a cell: a member of etcd, the fencer, and what the hands of the centre ask of either."""
