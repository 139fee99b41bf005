#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check_pairs.sh ROOT: a memory order is explained by a tag, [subject:event], that stands at both
# sides of the pair. A tag that appears only once has lost its partner.
cd "$1" || exit 1
grep -rohE '\[[a-z_0-9]+:[a-z_0-9]+\]' runner/include runner/src runtime/include runtime/src |
  sort | uniq -u | {
    status=0
    while read -r tag; do
      status=1
      grep -rnF -- "$tag" runner runtime | sed 's/^/no partner: /'
    done
    exit $status
  }
