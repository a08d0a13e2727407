"""The statements that views of both colours share."""

from __future__ import annotations

_POST = """
    SELECT post.*, user.username AS author,
           (SELECT count(*) FROM comment WHERE comment.post_id = post.id) AS comments
    FROM post JOIN user ON user.id = post.author_id
"""

POST = _POST + "WHERE post.id = ?"
POSTS = _POST + "ORDER BY post.id DESC LIMIT ? OFFSET ?"
POSTS_BY = _POST + "WHERE post.author_id = ? ORDER BY post.id DESC LIMIT ? OFFSET ?"

COUNT_POSTS = "SELECT count(*) FROM post"
COUNT_POSTS_BY = "SELECT count(*) FROM post WHERE author_id = ?"

ADD_POST = "INSERT INTO post (author_id, title, body, image, image_alt) VALUES (?, ?, ?, ?, ?)"
CHANGE_POST = """
    UPDATE post
    SET title = ?, body = ?, image = ?, image_alt = ?, updated = strftime('%Y-%m-%dT%H:%M:%SZ')
    WHERE id = ?
"""
DELETE_POST = "DELETE FROM post WHERE id = ?"

COMMENTS = """
    SELECT comment.*, user.username AS author
    FROM comment JOIN user ON user.id = comment.author_id
    WHERE comment.post_id = ? ORDER BY comment.id
"""
COMMENT = """
    SELECT comment.*, post.author_id AS post_author_id
    FROM comment JOIN post ON post.id = comment.post_id WHERE comment.id = ?
"""
ADD_COMMENT = "INSERT INTO comment (post_id, author_id, body) VALUES (?, ?, ?)"
DELETE_COMMENT = "DELETE FROM comment WHERE id = ?"

USER = "SELECT id, username FROM user WHERE id = ?"
USER_BY_NAME = "SELECT * FROM user WHERE username = ?"
ADD_USER = "INSERT INTO user (username, password) VALUES (?, ?)"
