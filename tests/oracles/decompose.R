# Rscript decompose.R SERIES.CSV OUT_FOLDER   (R 4.2.2, forecast 8.20, urca, tseries)
suppressMessages({library(forecast); library(urca); library(tseries)})
args <- commandArgs(TRUE); out <- args[2]
d <- read.csv(args[1], comment.char="#", stringsAsFactors=FALSE)
head_line <- function(file, what) cat(what, "\n", sep="", file=file)
f <- function(v) formatC(v, digits=13, format="g")
names <- unique(d$series)
decomposition <- file.path(out, "decomposition.csv"); tests <- file.path(out, "unit_roots.csv")
cat("# R 4.2.2, forecast 8.20: Rscript tests/oracles/decompose.R; tolerance 1e-8 of the largest value\n", file=decomposition)
cat("series,kind,t,trend,seasonal1,seasonal2,remainder\n", file=decomposition, append=TRUE)
put <- function(name, kind, trend, s1, s2, r) cat(paste(name, kind, seq_along(trend), f(trend), f(s1), f(s2), f(r), sep=","), sep="\n", file=decomposition, append=TRUE)
cat("# R 4.2.2, forecast 8.20, urca, tseries: Rscript tests/oracles/decompose.R; tolerance 1e-8\n", file=tests)
cat("series,ndiffs,nsdiffs,kpss_level,kpss_level_p,kpss_trend,kpss_trend_p,adf,adf_lags,adf_none,adf_drift\n", file=tests, append=TRUE)
for (name in names) {
  e <- d[d$series==name,]; m <- e$season[1]; x <- ts(as.numeric(e$y), frequency=m)
  if (anyNA(x)) next
  if (m > 1) {
    s <- stl(x, "periodic")$time.series; put(name, "periodic", s[,2], s[,1], 0, s[,3])
    s <- mstl(x); put(name, "mstl", s[,"Trend"], s[,3], 0, s[,"Remainder"])
    g <- x; g[c(5, 6, 20:24, length(x)-1)] <- NA; s <- mstl(g); put(name, "gaps", s[,"Trend"], s[,3], 0, s[,"Remainder"])
  } else { s <- mstl(x); put(name, "mstl", s[,"Trend"], 0, 0, s[,"Remainder"]) }
  k <- suppressWarnings(kpss.test(x)); kt <- suppressWarnings(kpss.test(x, "Trend")); a <- suppressWarnings(adf.test(x))
  n <- ur.df(x, "none", lags=3)@teststat[1]; c1 <- ur.df(x, "drift", lags=3)@teststat[1]
  cat(paste(name, ndiffs(x), if (m>1) nsdiffs(x) else 0, f(k$statistic), f(k$p.value), f(kt$statistic), f(kt$p.value), f(a$statistic), a$parameter, f(n), f(c1), sep=","), "\n", sep="", file=tests, append=TRUE)
}
t <- 0:599 # two seasons by formula: the same in tests/all/statistics.rs
x <- msts(100 + t / 10 + 10 * sin(2 * pi * t / 24) + 5 * cos(2 * pi * t / 168) + (t * 7919) %% 101 / 10, c(24, 168))
s <- mstl(x); put("hours", "mstl", s[,"Trend"], s[,3], s[,4], s[,"Remainder"])
x[c(30:35, 500)] <- NA; s <- mstl(x); put("hours", "gaps", s[,"Trend"], s[,3], s[,4], s[,"Remainder"])
