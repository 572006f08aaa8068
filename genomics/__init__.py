"""How bytes are cut and sealed: VCF, regions, samples, Crypt4GH; no Django."""
