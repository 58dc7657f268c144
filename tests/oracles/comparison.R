# Rscript comparison.R > comparison.csv   (R 4.2.2, forecast 8.20)
# Diebold–Mariano by forecast::dm.test on loss differences, Friedman and Wilcoxon by stats. The errors handed to dm.test are
# such that |e1| - |e2| with power 1 is the difference. A case of which dm.test says that the variance is negative is its own
# test: R goes on with h = 1.
suppressMessages(library(forecast))
cat("# R", paste0(R.version$major, ".", R.version$minor), paste0("forecast ", packageVersion("forecast")), ": Rscript tests/oracles/comparison.R; tolerance 1e-9 relative\n")
cat("test,h,columns,values,statistic,p\n")
put <- function(test, h, columns, values, statistic, p)
  cat(sprintf("%s,%d,%d,%s,%.15g,%.15g\n", test, h, columns, paste(sprintf("%.10g", values), collapse = ";"), statistic, p))
set.seed(7)
dm <- function(d, h) {
  d <- as.numeric(sprintf("%.10g", d))
  e2 <- rep(max(abs(d)) + 1, length(d))
  warned <- FALSE
  t <- withCallingHandlers(dm.test(e2 + d, e2, h = h, power = 1), warning = function(w) { warned <<- TRUE; invokeRestart("muffleWarning") })
  put(if (warned) "dm_negative" else "dm", h, 1, d, unname(t$statistic), t$p.value)
}
for (n in c(4, 8, 12, 30, 120)) for (h in c(1, 2, 4, 8)) if (h < n) {
  dm(rnorm(n, 0.3), h)
  dm(cumsum(rnorm(n)) / 3 + 0.2, h)
}
dm(rep(c(1, -0.9), 10), 2)      # alternating: a negative variance
dm(rep(c(3, -2, 1), 5), 3)
friedman <- function(m) {
  t <- friedman.test(m); chi <- unname(t$statistic); n <- nrow(m); k <- ncol(m)
  put("friedman", 0, k, t(m), chi, t$p.value)
  f <- (n - 1) * chi / (n * (k - 1) - chi)
  put("iman_davenport", 0, k, t(m), f, pf(f, k - 1, (k - 1) * (n - 1), lower.tail = FALSE)) }
friedman(matrix(round(rexp(60), 3), 12, 5))
friedman(matrix(round(rexp(40) * 2) / 2, 10, 4))      # with ties
friedman(matrix(round(rexp(24), 3), 12, 2))
friedman(matrix(round(rexp(900), 4), 90, 10) + rep(0:9 / 5, each = 90))
wilcoxon <- function(d, exact) {
  d <- as.numeric(sprintf("%.10g", d))
  t <- suppressWarnings(wilcox.test(d, exact = exact, correct = FALSE))
  put(if (exact) "wilcoxon_exact" else "wilcoxon", 0, 1, d, unname(t$statistic), t$p.value)
}
for (n in c(5, 9, 20, 40)) wilcoxon(rnorm(n, 0.4), TRUE)
for (n in c(60, 200)) wilcoxon(rnorm(n, 0.1), FALSE)
wilcoxon(round(rnorm(30, 0.4) * 2) / 2, FALSE)        # ties and zeros
