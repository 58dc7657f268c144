"""Inertia and mean silhouette of k-means as scikit-learn has them, for the test in src/explore/clusters.rs.

python k_means.py (scikit-learn 1.9.1; tolerance 1e-9)
"""
import numpy as np
import sklearn
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

t = np.arange(60)
places = np.array([(0.0, 0.0), (4.0, 1.0), (1.0, 5.0)])[t % 3]
spread = np.column_stack([np.modf(t * 0.61803398875)[0], np.modf(t * 0.41421356237)[0]]) * 2.0
points = places + spread
fit = KMeans(3, n_init=20, random_state=1, tol=0).fit(points)
print(sklearn.__version__, repr(float(fit.inertia_)), repr(float(silhouette_score(points, fit.labels_))))
