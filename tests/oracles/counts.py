# Writes counts.csv: Poisson's and the negative binomial distribution by scipy, from a mean of 0.01 to 10^7.
# Run as: python tests/oracles/counts.py   (needs scipy 1.17.1). Quantiles are to agree to the count, the distribution function
# to 1e-9. Left out: quantiles of a probability that is reached exactly in the middle of a distribution (scipy's rounding).
import numpy as np
import scipy
from scipy import stats

PROBABILITIES = [0.001, 0.01, 0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975, 0.99, 0.999]
with open("tests/oracles/counts.csv", "w") as out:
    out.write(f"# scipy {scipy.__version__}: python tests/oracles/counts.py\n")
    out.write("what,mean,variance,at,value\n")
    for mean in [0.01, 0.3, 1, 3.7, 20, 150, 480, 505, 2000, 12345.6, 1e5, 1e6, 1e7]:
        for dispersion in [1, 1.2, 2, 10, 100, 1e4, 1e6]:
            variance = mean * dispersion
            if dispersion == 1:
                counts = stats.poisson(mean)
            else:
                counts = stats.nbinom(mean / (dispersion - 1), 1 / dispersion)
            for p in PROBABILITIES:
                quantile = int(counts.ppf(p))
                if abs(counts.cdf(quantile) - p) > 1e-12 and abs(counts.cdf(quantile - 1) - p) > 1e-12:
                    out.write(f"quantile,{mean},{variance!r},{p},{quantile}\n")
            for z in [-4, -2, -0.5, 0, 0.5, 2, 4, 8]:
                at = int(max(0, np.floor(mean + z * np.sqrt(variance))))
                out.write(f"cdf,{mean},{variance!r},{at},{float(counts.cdf(at))!r}\n")
