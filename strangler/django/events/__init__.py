"""The app `strangler.django.events`: a monolith hears what its services tell, and does each thing once."""
