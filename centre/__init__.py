"""The hands: read and change a running centre. Playbooks, verbs and checks use them; no Pulumi in here."""
