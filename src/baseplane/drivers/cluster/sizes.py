"""Compute sizes: what each gives a Postgres cluster.

Memory and connections are those of the hosted platform's sizes. Buffers take an eighth of the memory, not the usual
quarter: many clusters share one machine, and its page cache serves them all.
"""

from dataclasses import dataclass

MB = 1
GB = 1024 * MB


@dataclass(frozen=True, slots=True)
class Size:
    """``memory`` is in megabytes."""

    name: str
    memory: int
    max_connections: int
    max_wal_size: int
    replication_slots: int

    @property
    def shared_buffers(self) -> int:
        return self.memory // 8

    @property
    def work_mem(self) -> int:
        """Megabytes; a quarter of the memory, shared by half of the connections."""
        return max(2, self.memory // 4 // (self.max_connections // 2))

    @property
    def maintenance_work_mem(self) -> int:
        return min(self.memory // 16, 2 * GB)


SIZES = {
    size.name: size
    for size in (
        Size("nano", 512 * MB, 60, 256, 5),
        Size("micro", 1 * GB, 60, 512, 5),
        Size("small", 2 * GB, 90, 1024, 5),
        Size("medium", 4 * GB, 120, 2048, 5),
        Size("large", 8 * GB, 160, 4096, 8),
        Size("xlarge", 16 * GB, 240, 4096, 24),
        Size("2xlarge", 32 * GB, 380, 4096, 80),
        Size("4xlarge", 64 * GB, 480, 4096, 80),
        Size("8xlarge", 128 * GB, 490, 8192, 80),
        Size("12xlarge", 192 * GB, 500, 8192, 80),
        Size("16xlarge", 256 * GB, 500, 8192, 80),
        Size("24xlarge", 384 * GB, 500, 16384, 80),
        Size("24xlarge_optimized_cpu", 192 * GB, 500, 16384, 80),
        Size("24xlarge_optimized_memory", 768 * GB, 500, 16384, 80),
        Size("24xlarge_high_memory", 1536 * GB, 500, 16384, 80),
        Size("48xlarge", 768 * GB, 500, 16384, 80),
        Size("48xlarge_optimized_cpu", 384 * GB, 500, 16384, 80),
        Size("48xlarge_optimized_memory", 1536 * GB, 500, 16384, 80),
        Size("48xlarge_high_memory", 3072 * GB, 500, 16384, 80),
    )
}
