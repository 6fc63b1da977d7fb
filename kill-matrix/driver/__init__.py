"""Death at every step: kills, freezes, forks and ends processes at each fault point, and looks at those who go on."""
