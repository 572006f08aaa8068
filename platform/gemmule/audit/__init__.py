"""What auditors read: releases, their dossiers and the health of the ledger."""
