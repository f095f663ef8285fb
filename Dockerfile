# One image for the broker, the operator and the command.
#
#   docker build -t localhost/logcluster .
#
# The base is only built in. It has Node 20 or newer with npm, a C compiler and glibc; the image itself starts from nothing and gets,
# file by file, what runs: the Node of package-lock.json, the C library of the base, and LogCluster. It has no shell and no package
# manager (docs/kubernetes.md says how to look into a pod all the same).
#
#   BASE, BASE_DIGEST      another base, pinned: --build-arg BASE_DIGEST=sha256:...
#   NODE_EXTRA_CA_CERTS    a file of certificates in the build, where a proxy re-signs what npm fetches
ARG BASE=docker.io/library/node:24-bookworm
ARG BASE_DIGEST=""

FROM ${BASE}${BASE_DIGEST:+@}${BASE_DIGEST} AS build
ARG NODE_EXTRA_CA_CERTS
WORKDIR /build
# The lock file and the addon first: sources change more often than they do.
COPY package.json package-lock.json ./
COPY tools/build-native.mjs tools/
COPY native native
RUN npm ci --no-audit --no-fund
RUN node tools/build-native.mjs
COPY tsconfig.json tsconfig.build.json ./
COPY tools/build.ts tools/
COPY src src
RUN node_modules/.bin/node tools/build.ts && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

# What the image has, in one tree. Declarations, source maps and Node's own package are of no use at run time.
RUN set -eu; \
    app=/image/opt/logcluster; node=$(echo node_modules/node-linux-*/bin/node); \
    mkdir -p "$app" /image/usr/local/bin /image/usr/bin /image/etc /image/tmp /image/var/lib/logcluster; \
    cp "$node" /image/usr/local/bin/node; \
    for file in $(ldd /image/usr/local/bin/node /usr/bin/env | grep -o '/[^ ]*\.so[^ ]*' | sort -u); do \
      mkdir -p "/image${file%/*}"; cp -L "$file" "/image$file"; \
    done; \
    cp /usr/bin/env /image/usr/bin/env; \
    for name in libc6 libgcc-s1 libstdc++6 coreutils; do \
      if [ -e "/usr/share/doc/$name/copyright" ]; then \
        mkdir -p "/image/usr/share/doc/$name"; cp -L "/usr/share/doc/$name/copyright" "/image/usr/share/doc/$name/"; \
      fi; \
    done; \
    mkdir -p /image/usr/share/doc/node; cp "${node%/bin/node}/LICENSE" /image/usr/share/doc/node/; \
    rm -rf node_modules/node-linux-*; \
    find node_modules dist -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete; \
    find node_modules -type d -empty -delete; \
    mv dist node_modules "$app/"; \
    ln -s /opt/logcluster/dist/src/cli/main.js /image/usr/local/bin/logcluster; \
    echo 'root:x:0:0:root:/:/sbin/nologin' > /image/etc/passwd; \
    echo 'logcluster:x:10001:10001:LogCluster:/var/lib/logcluster:/sbin/nologin' >> /image/etc/passwd; \
    printf 'root:x:0:\nlogcluster:x:10001:\n' > /image/etc/group; \
    echo 'hosts: files dns' > /image/etc/nsswitch.conf; \
    chmod 1777 /image/tmp; chown 10001:10001 /image/var/lib/logcluster

FROM scratch
COPY --from=build /image /
ENV PATH=/usr/local/bin:/usr/bin NODE_ENV=production
USER 10001:10001
WORKDIR /var/lib/logcluster
ENTRYPOINT ["logcluster"]
CMD ["help"]
